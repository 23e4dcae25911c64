/* Rules as the server hands them over, for the tests of this folder. */

export const RULES = {
  presets: ["7", "28", "90", "365"],
  defaultPreset: "28",
  maxDays: 366,
  earliest: "2000-01-01",
  today: "2026-11-29",
  dayEnds: Date.parse("2026-11-30T00:00:00+13:00"),
  links: ["status", "within"],
  maxLink: 5,
  maxFind: 80,
  maxPins: 4,
};

/** An evening in UTC, when it is the next day already in Auckland. */
export const NOW = Date.parse("2026-11-28T22:30:00Z");
