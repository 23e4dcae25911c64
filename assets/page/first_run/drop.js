/* Files of the first run: dropped or chosen, sent one after another, and what became of each. */

const into = document.getElementById("into");
const area = document.getElementById("drop");
const chooser = document.getElementById("files");
const names = document.getElementById("workspaces");

if (area && chooser && into) {
  chooser.addEventListener("change", () => send([...chooser.files]));
  area.addEventListener("dragover", (event) => event.preventDefault());
  area.addEventListener("drop", (event) => {
    event.preventDefault();
    send([...event.dataTransfer.files]);
  });
}

if (names) {
  names.addEventListener("drop", async (event) => {
    const [file] = event.dataTransfer.files;
    if (!file) return;
    event.preventDefault();
    names.value = await file.text();
  });
}

async function send(files) {
  const table = document.getElementById("loaded");
  const token = document.querySelector('input[name="csrf_token"]').value;
  table.hidden = false;
  for (const file of files) {
    const asked = new URLSearchParams({ workspace: into.value, name: file.name });
    let told;
    try {
      const answer = await fetch(`/first-run/files?${asked}`, {
        method: "POST",
        credentials: "same-origin",
        headers: { "Content-Type": "application/octet-stream", "X-CSRFToken": token },
        body: file,
      });
      told = answer.ok
        ? await answer.json()
        : { problems: [`The server answers ${answer.status}.`] };
    } catch {
      told = { problems: ["The server can not be reached."] };
    }
    table.querySelector("tbody").append(row(file.name, told));
  }
  location.hash = "loaded";
}

function row(name, told) {
  const made = document.createElement("tr");
  const cells = [
    ["Holds", told.kind || "–"],
    ["Read", told.read ?? "–"],
    ["Refused", told.refused ?? "–"],
    ["What was refused", (told.problems || []).join(" ") || "nothing"],
  ];
  const head = document.createElement("th");
  head.scope = "row";
  head.textContent = name;
  made.append(head);
  for (const [label, words] of cells) {
    const cell = document.createElement("td");
    cell.dataset.l = label;
    cell.textContent = words;
    made.append(cell);
  }
  return made;
}
