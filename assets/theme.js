/* Within the document, before anything is drawn: the chosen theme, and whether
   the figures that came with the page are of the period that this browser shows. */
const root = document.documentElement;
try {
  const theme = localStorage.getItem("vigilo.theme");
  if (theme === "dark" || theme === "light") root.dataset.theme = theme;
  const period = localStorage.getItem("vigilo.period");
  const { supposed } = root.dataset;
  if (supposed && period && JSON.parse(period)?.period !== supposed)
    root.dataset.supposed = "wrongly";
} catch {
  /* private mode, or a period that can not be read: the system's choice and the default stand */
}
