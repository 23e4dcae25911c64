/* The two dates of a custom range; made here, since Dash has no native date input. */

import { first, make } from "../dom.js";
import { wrongRange } from "../state/period.js";
import { choosePeriod, current, currentRules } from "../state/view.js";

export function openCustomRange() {
  const box = first("#custom");
  if (!first("form", box)) box.replaceChildren(form());
  first("#custom-start").focus();
}

export function closeCustomRange() {
  first("#custom")?.replaceChildren();
}

/** Closes the dates when somebody turns to something else. */
export function watchDates() {
  document.addEventListener("vigilo:close-dates", leave);
  document.addEventListener("pointerdown", (event) => {
    if (first("#custom form") && !event.target.closest(".period-box")) leave();
  });
}

function leave() {
  closeCustomRange();
  const select = first("#period");
  select.value = current().start ? "custom" : current().period;
  select.focus();
}

function form() {
  const { start, end } = current();
  const made = make("form", { className: "custom-form", noValidate: true }, [
    dateField("Start", "start", start),
    dateField("End", "end", end),
    make("p", { className: "field-error", id: "custom-error", role: "alert" }),
    make("button", { type: "submit", className: "btn p", textContent: "Apply" }),
  ]);
  made.addEventListener("submit", (event) => {
    event.preventDefault();
    apply();
  });
  return made;
}

function dateField(label, name, value) {
  return make("label", { className: "control" }, [
    make("span", { className: "control-label", textContent: label }),
    make("input", {
      type: "date",
      id: `custom-${name}`,
      className: "select",
      value: value || first(".heading")?.dataset[name] || "",
    }),
  ]);
}

function apply() {
  const start = first("#custom-start").value;
  const end = first("#custom-end").value;
  const wrong = wrongRange(start, end, currentRules(), Date.now());
  for (const name of ["start", "end"]) markField(name, wrong?.field === name);
  first("#custom-error").textContent = wrong?.message ?? "";
  if (wrong) first(`#custom-${wrong.field}`).focus();
  else choosePeriod({ start, end });
}

function markField(name, isWrong) {
  const input = first(`#custom-${name}`);
  if (isWrong) {
    input.setAttribute("aria-invalid", "true");
    input.setAttribute("aria-describedby", "custom-error");
  } else {
    input.removeAttribute("aria-invalid");
    input.removeAttribute("aria-describedby");
  }
}
