// What the page does beyond showing: hide a line, read off values, copy a command, print tables.
"use strict";

// Of `watch`, which puts new charts into its page, too.
function bringToLife(part) {
  for (const chart of part.querySelectorAll(".chart")) {
    const plot = chart.querySelector(".plot"), cursor = plot.querySelector(".cursor");
    const readout = chart.querySelector(".readout");
    const rows = [...chart.querySelectorAll("tbody tr")];
    const names = [...chart.querySelectorAll("thead th")].map((cell) => cell.textContent);
    const [low, high] = plot.dataset.ends.split(" ").map(Number);
    const [left, right] = plot.dataset.frame.split(" ").map(Number);
    const places = rows.map((row) => Number(row.querySelector("data").value));

    for (const button of chart.querySelectorAll(".legend button")) {
      button.addEventListener("click", () => {
        const shown = button.getAttribute("aria-pressed") !== "true";
        button.setAttribute("aria-pressed", String(shown));
        plot.querySelector(`g[data-series="${button.dataset.series}"]`).classList.toggle("hidden", !shown);
      });
    }
    plot.addEventListener("pointermove", (event) => {
      const box = plot.getBoundingClientRect();
      const x = ((event.clientX - box.left) / box.width) * plot.viewBox.baseVal.width;
      const wanted = low + ((x - left) / (right - left)) * (high - low);
      let best = 0;
      places.forEach((place, index) => {
        if (Math.abs(place - wanted) < Math.abs(places[best] - wanted)) best = index;
      });
      const cells = [...rows[best].children].map((cell) => cell.textContent);
      const said = cells.slice(1).map((cell, index) => (cell ? `${names[index + 1]} ${cell}` : ""));
      readout.textContent = `${names[0]} ${cells[0]}: ${said.filter(Boolean).join(" · ")}`;
      const at = left + ((places[best] - low) / (high - low)) * (right - left);
      cursor.setAttribute("transform", `translate(${at} 0)`);
      cursor.setAttribute("visibility", "visible");
    });
    plot.addEventListener("pointerleave", () => {
      cursor.setAttribute("visibility", "hidden");
      readout.textContent = "\u00a0";
    });
  }
}

bringToLife(document);

for (const command of document.querySelectorAll("pre.command")) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "copy";
  button.textContent = "Copy";
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(command.textContent);
      button.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(command);
      button.textContent = "Selected";
    }
  });
  command.after(button);
}

addEventListener("beforeprint", () => document.querySelectorAll("details").forEach((each) => (each.open = true)));
