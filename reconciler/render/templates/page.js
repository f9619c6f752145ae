"use strict";
(() => {
  const form = document.getElementById("filters");
  if (!form) return;
  const rows = [...document.querySelectorAll("#rows > .row")];
  const texts = rows.map((row) => row.textContent.toLowerCase());
  const field = (name) => document.getElementById(name);
  const chosen = () => ["account", "kind", "state"].map((name) => [name, field(name).value]);

  function filter() {
    const words = field("text").value.toLowerCase().split(/\s+/).filter(Boolean);
    const picked = chosen();
    let count = 0;
    rows.forEach((row, index) => {
      const fits = picked.every(([name, value]) => !value || row.dataset[name] === value)
        && words.every((word) => texts[index].includes(word));
      row.hidden = !fits;
      if (fits) count += 1;
    });
    field("shown").textContent = `${count} of ${rows.length} shown`;
  }

  form.hidden = false;
  form.addEventListener("input", filter);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(filter));
  filter();
})();
