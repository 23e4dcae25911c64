/* The page's behaviour: one state, kept in the address, handed to the callbacks through two stores.
   "view" draws the whole page (path, period), "focus" the open domain alone, "pins" its comparison,
   "more" the cards that come next. */
(function () {
  "use strict";

  const PERIOD_KEY = "vigilo.period", THEME_KEY = "vigilo.theme", KEYS_KEY = "vigilo.keys";
  const PRESETS = ["7", "28", "90", "365"];
  const DAY = 86400000, MAX_DAYS = 366;
  const PAGE_KEYS = ["period", "start", "end"];
  const LINK_KEYS = ["within", "status", "result", "review"]; /* what a link into a list narrows */
  const EXPORT_KEY = "vigilo-export";
  let view = null, opener = null, focusNext = false, exporting = null;

  const $ = (selector, root) => (root || document).querySelector(selector);
  const $$ = (selector, root) => Array.from((root || document).querySelectorAll(selector));

  /* Storage that can be closed to us. */
  function kept(key) { try { return localStorage.getItem(key); } catch (_) { return null; } }
  function keep(key, value) { try { localStorage.setItem(key, value); } catch (_) { /* private */ } }
  function drop(key) { try { localStorage.removeItem(key); } catch (_) { /* private */ } }

  /* The theme that theme.js set, or the system's. */
  function isDark() {
    const set = document.documentElement.dataset.theme;
    return set ? set === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  }
  function switchTheme() {
    const next = isDark() ? "light" : "dark";
    document.documentElement.dataset.theme = next;
    keep(THEME_KEY, next);
  }

  /* The period: the address wins, then what is stored, then 28 days; never mixed. */
  function isDay(text) {
    return /^\d{4}-\d{2}-\d{2}$/.test(text || "") && !isNaN(Date.parse(text)) &&
      new Date(text).toISOString().slice(0, 10) === text;
  }
  function wrongRange(start, end) {
    if (!isDay(start)) return ["start", "Enter a start date."];
    if (!isDay(end)) return ["end", "Enter an end date."];
    const today = new Date().toISOString().slice(0, 10);
    if (end < start) return ["end", "The end must not be before the start."];
    if ((Date.parse(end) - Date.parse(start)) / DAY + 1 > MAX_DAYS) {
      return ["end", "A range has at most 366 days."];
    }
    if (start > today) return ["start", "The start must not lie in the future."];
    if (end > today) return ["end", "The end must not lie in the future."];
    return null;
  }
  function storedPeriod() {
    const raw = kept(PERIOD_KEY);
    if (raw === null) return null;
    try {
      const found = JSON.parse(raw);
      if (PRESETS.includes(String(found.period))) return { period: String(found.period) };
      if (!wrongRange(found.start, found.end)) return { start: found.start, end: found.end };
    } catch (_) { /* told below */ }
    drop(PERIOD_KEY);
    notice("The period that this browser had stored can not be used; showing the last 28 days.");
    return null;
  }
  function fromAddress() {
    const query = new URLSearchParams(location.search);
    const asked = {};
    PAGE_KEYS.forEach((key) => { if (query.has(key)) asked[key] = query.get(key); });
    const period = Object.keys(asked).length ? asked : storedPeriod() || { period: "28" };
    const links = {};
    LINK_KEYS.forEach((key) => { if (query.has(key)) links[key] = query.get(key).slice(0, 40); });
    return Object.assign({ path: location.pathname, links: links, domain: query.get("domain") || "",
      measure: query.get("measure") || "", mode: query.get("view") || "cards",
      find: "", pins: [] }, period);
  }
  function address(absolute) {
    const query = new URLSearchParams();
    Object.entries(view.links).forEach(([key, value]) => query.set(key, value));
    const heading = $(".heading");
    if (absolute && heading) {
      query.set("start", heading.dataset.start);
      query.set("end", heading.dataset.end);
    } else {
      PAGE_KEYS.forEach((key) => { if (view[key]) query.set(key, view[key]); });
    }
    if (view.domain) {
      query.set("domain", view.domain);
      if (view.measure) query.set("measure", view.measure);
      if (view.mode === "table") query.set("view", "table");
    }
    return location.pathname + "?" + query.toString();
  }

  /* One way to change anything. */
  function go(patch) {
    const period = Object.keys(patch).some((key) => PAGE_KEYS.includes(key));
    const page = period || "links" in patch;
    view = Object.assign({}, view, patch);
    if (period) PAGE_KEYS.forEach((key) => { if (!(key in patch)) delete view[key]; });
    history.replaceState(null, "", address(false));
    draw(page ? "view" : "focus");
    showControls();
  }
  function draw(store, more) {
    window.dash_clientside.set_props(store, { data: Object.assign({ at: Date.now() }, view, more) });
  }
  function choosePeriod(period) {
    keep(PERIOD_KEY, JSON.stringify(period));
    notice("");
    go(period);
  }
  function start() {
    view = fromAddress();
    document.documentElement.dataset.page = /\/platform\/executive\/?$/.test(view.path) ? "executive" : "workspace";
    history.replaceState(null, "", address(false));
    draw("view");
    showControls();
  }

  /* What the state looks like in the controls. */
  function showControls() {
    const select = $("#period");
    if (select) select.value = view.start ? "custom" : PRESETS.includes(view.period) ? view.period : "28";
    customRange(Boolean(view.start));
    $$(".tile").forEach((tile) => {
      const button = $(".tile-button", tile);
      const open = Boolean(button) && button.dataset.open === view.domain;
      tile.classList.toggle("is-open", open);
      if (button) button.setAttribute("aria-expanded", String(open));
    });
    $$("select[data-select]").forEach((element) => {
      if (element.dataset.select !== "period") element.value = element.dataset.value;
    });
  }
  function customRange(open) {
    const box = $("#custom");
    if (!box) return;
    if (!open) { box.replaceChildren(); return; }
    if ($("form", box)) return;
    const form = document.createElement("form");
    form.className = "custom-form";
    form.noValidate = true;
    form.append(dateField("Start", "custom-start", view.start), dateField("End", "custom-end", view.end));
    const apply = document.createElement("button");
    apply.type = "submit";
    apply.className = "button";
    apply.textContent = "Apply";
    const error = document.createElement("p");
    error.className = "field-error";
    error.id = "custom-error";
    error.setAttribute("role", "alert");
    form.append(apply, error);
    form.addEventListener("submit", (event) => { event.preventDefault(); applyCustom(error); });
    box.replaceChildren(form);
  }
  function dateField(name, id, value) {
    const label = document.createElement("label");
    label.className = "control";
    const text = document.createElement("span");
    text.className = "control-label";
    text.textContent = name;
    const input = document.createElement("input");
    input.type = "date";
    input.id = id;
    input.className = "select";
    input.value = value || ($(".heading") || { dataset: {} }).dataset[name.toLowerCase()] || "";
    label.append(text, input);
    return label;
  }
  function applyCustom(error) {
    const start = $("#custom-start").value, end = $("#custom-end").value;
    const wrong = wrongRange(start, end);
    ["start", "end"].forEach((name) => {
      const input = $("#custom-" + name), bad = wrong && wrong[0] === name;
      if (bad) input.setAttribute("aria-invalid", "true"); else input.removeAttribute("aria-invalid");
      if (bad) input.setAttribute("aria-describedby", "custom-error");
      else input.removeAttribute("aria-describedby");
    });
    error.textContent = wrong ? wrong[1] : "";
    if (wrong) $("#custom-" + wrong[0]).focus(); else choosePeriod({ start: start, end: end });
  }

  /* Opening, closing, finding, comparing. */
  function open(button) {
    const domain = button.dataset.open, measure = button.dataset.measure;
    const toggles = button.classList.contains("tile-button") && view.domain === domain;
    if (toggles) { close(); return; }
    opener = { domain: domain, measure: measure, tile: button.classList.contains("tile-button") };
    focusNext = true;
    finding = false;
    go({ domain: domain, measure: measure, find: "",
      pins: view.domain === domain ? view.pins : [] });
  }
  function close() {
    if (!view.domain) return;
    finding = false;
    const back = $("#tile-" + view.domain + "-title");
    const from = opener && !opener.tile && $(
      "#tile-" + opener.domain + " .measure[data-measure='" + opener.measure + "']");
    go({ domain: "", measure: "", find: "", pins: [] });
    (from || back || document.body).focus();
  }
  function pin(slug) {
    const pins = view.pins.includes(slug) ? view.pins.filter((s) => s !== slug) : [...view.pins, slug];
    if (pins.length > 4) { notice("At most four workspaces can be compared at once."); return; }
    compare(pins);
  }
  function compare(pins) {
    view = Object.assign({}, view, { pins: pins });
    draw("pins");
    showPins();
  }
  function showPins() {
    $$(".pin").forEach((button) => {
      const pinned = String(view.pins.includes(button.dataset.pin));
      if (button.getAttribute("aria-pressed") === pinned) return;
      button.setAttribute("aria-pressed", pinned);
      button.firstChild.nodeValue = pinned === "true" ? "Pinned" : "Pin";
    });
  }

  /* Text that the server made for us to put in place: Dash would take 35 ms for each card. */
  function drawMarkup() {
    const boxes = $$("[data-markup]");
    boxes.forEach((box) => {
      box.innerHTML = box.dataset.markup;
      box.removeAttribute("data-markup"); /* comes back when it changes */
      if (box.dataset.counted) say(box.dataset.counted);
    });
    if (boxes.length) { showPins(); showControls(); }
    if (boxes.some((box) => box.classList.contains("six"))) catchUp();
  }
  /* The page was asked for before a domain was opened, or closed, and came after it. */
  function catchUp() {
    const open = $(".expansion"), rank = open && $("select[data-select='rank']", open);
    const stale = rank && view.measure && rank.dataset.value !== view.measure;
    if ((open ? open.dataset.of : "") !== view.domain || stale) draw("focus");
  }
  function say(counted) {
    const place = $(".counted");
    if (place) place.textContent = counted;
  }

  /* More cards: the next ones alone are fetched, and put behind those that are there. */
  function more(button) {
    if (button.getAttribute("aria-busy")) return;
    button.setAttribute("aria-busy", "true");
    draw("more", { from: Number(button.dataset.more) });
  }
  function appendNext() {
    const next = $("#next > [data-pieces]"), button = $("[data-more]");
    if (!next || !button) return;
    const pieces = next.dataset.pieces;
    next.removeAttribute("data-pieces");
    button.removeAttribute("aria-busy");
    if (next.dataset.order !== button.dataset.order) { draw("focus"); return; } /* there are newer figures */
    if (next.dataset.start !== button.dataset.more) return;
    const place = $(".expansion [data-grows]"), last = place.lastElementChild;
    place.insertAdjacentHTML("beforeend", pieces);
    showPins();
    say(next.dataset.counted);
    $("#live").textContent = next.dataset.said + " workspaces";
    if (next.dataset.then) {
      button.dataset.more = next.dataset.then;
      $(".more .shown").textContent = next.dataset.said;
      return;
    }
    const focused = document.activeElement === button;
    button.parentElement.remove();
    if (focused) $("a, button", last.nextElementSibling).focus();
  }
  /* Dash draws the box anew with each answer: one field goes from box to box, and the typing goes on. */
  let typing = null, finding = false, field = null;
  function findBox() {
    const box = $("#find-box");
    if (!box || $("input", box)) return;
    if (!field) field = findField();
    if (!finding) field.value = view.find;
    box.append(field);
    if (finding && document.activeElement === document.body) field.focus();
  }
  function findField() {
    const input = document.createElement("input");
    input.type = "search";
    input.id = "find";
    input.className = "select";
    input.maxLength = 80;
    input.autocomplete = "off";
    input.addEventListener("input", () => {
      clearTimeout(typing);
      typing = setTimeout(() => {
        finding = document.activeElement === input;
        go({ find: input.value.trim() });
      }, 200);
    });
    return input;
  }

  /* Messages. */
  function notice(text) {
    const place = $("#notice");
    if (place) place.textContent = text; else if (text) pending = text;
  }
  let pending = "";
  function copyLink() {
    const link = location.origin + address(true);
    const said = () => { $("#live").textContent = "Link copied"; notice("Link copied: " + link); };
    if (navigator.clipboard) navigator.clipboard.writeText(link).then(said, () => notice(link));
    else notice(link);
  }
  function sessionExpired() {
    if ($("#expired")) return;
    const dialog = document.createElement("dialog");
    dialog.id = "expired";
    dialog.className = "help";
    dialog.setAttribute("aria-labelledby", "expired-title");
    const title = document.createElement("h2");
    title.id = "expired-title";
    title.textContent = "You have been signed out";
    const text = document.createElement("p");
    text.textContent = "Sign in again to come back to this view.";
    const link = document.createElement("a");
    link.className = "button primary";
    link.href = "/login?next=" + encodeURIComponent(location.pathname + location.search);
    link.textContent = "Sign in";
    dialog.append(title, text, link);
    document.body.append(dialog);
    dialog.showModal();
  }
  const send = window.fetch.bind(window);
  window.fetch = function (resource, options) {
    const url = String(resource && resource.url ? resource.url : resource);
    return send(resource, options).then((answer) => {
      if (url.includes("_dash-update-component")) {
        if (!answer.ok) $$("[data-more]").forEach((button) => button.removeAttribute("aria-busy"));
        if (answer.status === 401) sessionExpired();
        else if (!answer.ok) notice("The figures can not be reached. Try again in a moment.");
        else if ($("#notice") && /reached/.test($("#notice").textContent)) notice("");
        if (!answer.ok) return new Response(null, { status: 204 }); /* nothing for Dash to draw */
      }
      return answer;
    }, (error) => {
      $$("[data-more]").forEach((button) => button.removeAttribute("aria-busy"));
      if (url.includes("_dash-update-component")) notice("The server does not answer. Try again in a moment.");
      throw error;
    });
  };

  /* Export: one click, a visible state, the browser's own download. */
  function cookie(name) {
    const found = document.cookie.split("; ").find((c) => c.startsWith(name + "="));
    return found ? decodeURIComponent(found.slice(name.length + 1)) : "";
  }
  function post(path, body, more) {
    return send(path, { method: "POST", credentials: "same-origin",
      headers: Object.assign({ "Content-Type": "application/json", "X-CSRFToken": cookie("_csrf_token") }, more),
      body: JSON.stringify(body) });
  }
  function exportAs(format) {
    if (exporting) {
      if (exporting.id) post("/exports/" + exporting.id + "/cancel", {});
      endExport("Export cancelled");
      return;
    }
    const asked = { format: format };
    PAGE_KEYS.forEach((key) => { if (view[key]) asked[key] = view[key]; });
    beginExport(null, format);
    const mine = exporting;
    post("/exports", asked, { Prefer: "respond-async" })
      .then((answer) => answer.json().then((body) => ({ answer: answer, body: body })))
      .then(({ answer, body }) => {
        if (answer.status === 401) { endExport(""); sessionExpired(); return; }
        if (!answer.ok) throw new Error(body.detail || body.title || "the server refused");
        if (mine !== exporting) { post("/exports/" + body.id + "/cancel", {}); return; }
        mine.id = body.id;
        try { sessionStorage.setItem(EXPORT_KEY, body.id); } catch (_) { /* private */ }
        follow(mine);
      })
      .catch((error) => { if (mine === exporting) failExport(error.message); });
  }
  function beginExport(id, format) {
    exporting = { id: id, name: format.toUpperCase(), since: Date.now(), told: false, away: 0 };
    $("#export").setAttribute("aria-busy", "true");
    $("#progress").classList.add("is-running");
    $("#live").textContent = "Exporting the " + exporting.name;
    $("#export").textContent = "Exporting… Cancel";
  }
  function endExport(said) {
    exporting = null;
    try { sessionStorage.removeItem(EXPORT_KEY); } catch (_) { /* private */ }
    $("#export").textContent = "Export PDF";
    $("#export").removeAttribute("aria-busy");
    $("#progress").classList.remove("is-running");
    if (said) $("#live").textContent = said;
  }
  function failExport(why) {
    const name = exporting.name;
    endExport("");
    notice("The " + name + " could not be made: " + why.replace(/\.$/, "") + ". Try again.");
  }
  /* Asks how far it is until it is there; a server that restarts finds the job again, and so do we. */
  function follow(mine) {
    if (mine !== exporting) return;
    send("/exports/" + mine.id + "/state", { credentials: "same-origin" })
      .then((answer) => answer.json().then((body) => ({ answer: answer, body: body })))
      .then(({ answer, body }) => {
        if (mine !== exporting) return;
        if (answer.status === 401) { endExport(""); sessionExpired(); return; }
        if (answer.status === 404) { endExport(""); return; }
        if (!answer.ok) throw new Error(answer.status);
        mine.away = 0;
        if (body.state === "ready") { endExport("The " + body.format.toUpperCase() + " is ready: " + body.filename); fetchFile(body); return; }
        if (body.state === "failed") { failExport(body.error || "it failed"); return; }
        if (body.state === "cancelled" || body.state === "expired") { endExport("Export cancelled"); return; }
        if (body.steps) $("#export").textContent = "Exporting " + body.progress + " of " + body.steps + "… Cancel";
        if (!mine.told && Date.now() - mine.since > 1000 * body.mails_after_seconds) {
          mine.told = true;
          notice("This one takes longer: we will e-mail you the link. You may close the page; Your exports, under Account, has it too.");
        }
        setTimeout(() => follow(mine), 300);
      })
      .catch(() => {
        if (mine !== exporting) return;
        mine.away += 1;
        if (mine.away > 100) failExport("the server does not answer");
        else setTimeout(() => follow(mine), Math.min(3000, 300 * mine.away));
      });
  }
  function fetchFile(body) {
    const link = document.createElement("a");
    link.href = body.href;
    link.download = body.filename;
    document.body.append(link);
    link.click();
    link.remove();
    notice("");
  }
  function resumeExport() {
    let id = null;
    try { id = sessionStorage.getItem(EXPORT_KEY); } catch (_) { /* private */ }
    if (id && !exporting && $("#export")) { beginExport(id, "file"); follow(exporting); }
  }

  /* Clicks and changes, wherever they were drawn. */
  const CLICKS = {
    open: open, close: close, pin: (b) => pin(b.dataset.pin), unpin: () => compare([]),
    mode: (b) => go({ mode: b.dataset.mode }), more: more,
    format: (b) => { b.closest("details").open = false; if (!exporting) exportAs(b.dataset.format); },
    unlink: () => go({ links: {} }), copy: copyLink, retry: () => draw("view"), preset: (b) => choosePeriod({ period: b.dataset.preset }),
    help: () => $("#help").showModal(), helpClose: () => $("#help").close(),
    findClear: () => { $("#find").value = ""; go({ find: "" }); },
  };
  document.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    $$("details[open].menu, details[open].scope").forEach((d) => {
      if (!d.contains(event.target)) d.open = false;
    });
    if (!button || !view) return;
    if (button.id === "theme") switchTheme();
    else if (button.id === "export") exportAs("pdf");
    else if (button.id === "keys-off") toggleKeys(button);
    else {
      const action = Object.keys(CLICKS).find((name) => name in button.dataset);
      if (action) CLICKS[action](button);
    }
  });
  document.addEventListener("change", (event) => {
    const select = event.target.closest("select[data-select]");
    if (!select) return;
    if (select.dataset.select === "rank") go({ measure: select.value });
    else if (select.value === "custom") { customRange(true); $("#custom-start").focus(); }
    else choosePeriod({ period: select.value });
  });

  /* Keys; off in inputs, and when turned off. */
  function toggleKeys(button) {
    const off = kept(KEYS_KEY) !== "off";
    keep(KEYS_KEY, off ? "off" : "on");
    button.textContent = off ? "Turn the keys on" : "Turn the keys off";
  }
  function press(selector) { const found = $(selector); if (found) found.click(); }
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") { escape(event); return; }
    if (event.ctrlKey || event.metaKey || event.altKey || kept(KEYS_KEY) === "off") return;
    if (event.target.closest("input, select, textarea, dialog")) return;
    if (event.key === "/") { const find = $("#find"); if (find) { event.preventDefault(); find.focus(); } }
    else if (event.key === "?") $("#help").showModal();
    else if (/^[1-6]$/.test(event.key)) { const tile = $$(".tile-button")[event.key - 1]; if (tile) tile.click(); }
    else if (event.key === "p") { const select = $("#period"); if (select) select.focus(); }
    else if (event.key === "e") press("#export");
    else if (event.key === "t") press("[data-mode]");
  });
  function escape(event) {
    if (event.target.closest("dialog")) return;
    const tile = document.activeElement && document.activeElement.closest(".tile");
    if (tile && !tile.classList.contains("tip-off") && tile.matches(":focus-within") && !view.domain) {
      tile.classList.add("tip-off");
      return;
    }
    const menu = $("details[open].menu, details[open].scope");
    if (menu) { menu.open = false; $("summary", menu).focus(); return; }
    close();
  }
  document.addEventListener("focusout", (event) => {
    const tile = event.target.closest && event.target.closest(".tile");
    if (tile) tile.classList.remove("tip-off");
  });

  /* Dash draws when it likes: finish what it can not do, and start once its layout stands. */
  new MutationObserver(() => {
    if (!view && $("#page") && window.dash_clientside && window.dash_clientside.set_props) {
      start();
      resumeExport();
      if (pending) { notice(pending); pending = ""; }
    }
    if (!view) return;
    drawMarkup();
    appendNext();
    findBox();
    $$("select[data-select]").forEach((element) => {
      if (element.dataset.select !== "period" && element.dataset.shown !== element.dataset.value) {
        element.value = element.dataset.value;
        element.dataset.shown = element.dataset.value;
      }
    });
    $$(".tile").forEach((tile) => {
      const button = $(".tile-button", tile), isOpen = button && button.dataset.open === view.domain;
      if (tile.classList.contains("is-open") !== Boolean(isOpen)) showControls();
    });
    const heading = $("#expansion-heading");
    if (focusNext && heading && $("#tile-" + view.domain) && heading.closest(".expansion").dataset.of === view.domain) {
      focusNext = false;
      heading.focus({ preventScroll: true });
      heading.scrollIntoView({ block: "nearest", behavior: "instant" });
    }
  }).observe(document.documentElement, { childList: true, subtree: true, attributeFilter: ["data-markup", "data-pieces"] });
})();
