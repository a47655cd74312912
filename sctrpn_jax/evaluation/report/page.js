'use strict';
(() => {
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const said = document.getElementById('said');

  // Numbers by value, words by name; what has no value stays last either way.
  const compare = new Intl.Collator('en', { numeric: true }).compare;
  function sort(header) {
    const table = header.closest('table');
    const body = table.tBodies[0];
    const column = header.cellIndex;
    const words = header.classList.contains('words');
    const before = header.getAttribute('aria-sort');
    const first = words ? 'ascending' : 'descending';
    const direction = before === first ? (words ? 'descending' : 'ascending') : first;
    const sign = direction === 'ascending' ? 1 : -1;
    const keyed = [...body.rows].map((row) => {
      const cell = row.cells[column];
      const value = words ? cell.textContent.trim() : parseFloat(cell.textContent);
      return { row, value, known: words ? value !== '' : !Number.isNaN(value) };
    });
    keyed.sort((a, b) => {
      if (!a.known || !b.known) return Number(b.known) - Number(a.known);
      return sign * (words ? compare(a.value, b.value) : a.value - b.value);
    });
    body.append(...keyed.map((entry) => entry.row));
    for (const other of header.parentNode.cells) other.setAttribute('aria-sort', other === header ? direction : 'none');
    said.textContent = `sorted by ${header.querySelector('span').textContent}, ${direction}`;
  }
  for (const button of all('thead button')) button.addEventListener('click', () => sort(button.parentNode));

  const filter = document.getElementById('filter');
  const rows = document.querySelector('table.rows');
  if (filter && rows) {
    filter.addEventListener('input', () => {
      const wanted = filter.value.trim().toLowerCase();
      let shown = 0;
      for (const row of rows.tBodies[0].rows) {
        row.hidden = !row.cells[0].textContent.toLowerCase().includes(wanted);
        shown += !row.hidden;
      }
      said.textContent = `${shown} sequences shown`;
    });
  }
  const metric = document.getElementById('metric');
  if (metric && rows) metric.addEventListener('change', () => { rows.dataset.m = metric.value; });

  // Legends: pointing brings a tracker out, pressing takes it away.
  const drawn = all('figure > svg [data-t]');
  const emphasise = (index) => drawn.forEach((g) => g.classList.toggle('dim', index !== null && g.dataset.t !== index));
  const entries = all('.legend button');
  for (const button of entries) {
    const index = button.dataset.t;
    for (const event of ['pointerenter', 'focus']) button.addEventListener(event, () => emphasise(index));
    for (const event of ['pointerleave', 'blur']) button.addEventListener(event, () => emphasise(null));
    button.addEventListener('click', () => {
      const shown = button.getAttribute('aria-pressed') !== 'true';
      entries.filter((e) => e.dataset.t === index).forEach((e) => e.setAttribute('aria-pressed', String(shown)));
      drawn.filter((g) => g.dataset.t === index).forEach((g) => g.classList.toggle('off', !shown));
    });
  }

  // Paper cannot be unfolded.
  window.addEventListener('beforeprint', () => all('details').forEach((details) => { details.open = true; }));
})();
