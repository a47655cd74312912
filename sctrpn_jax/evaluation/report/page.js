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
    const first = header.dataset.first;
    const direction = before === first ? (first === 'ascending' ? 'descending' : 'ascending') : first;
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
  for (const choice of all('.tools select')) {
    const table = choice.closest('section').querySelector('table');
    choice.addEventListener('change', () => { table.dataset.m = choice.value; });
  }

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

  // A plot with its title and legend as one file in the light colours, without what is pressed away.
  const looks = {
    text: ['fill', 'font-family', 'font-size', 'text-anchor'],
    path: ['fill', 'stroke', 'stroke-width', 'stroke-dasharray'],
    rect: ['fill', 'opacity'],
  };
  looks.circle = looks.path;
  const space = document.querySelector('svg')?.namespaceURI;
  const make = (name, attributes, text = '') => {
    const element = document.createElementNS(space, name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    element.textContent = text;
    return element;
  };
  function dressed(svg, attributes) {
    const copy = svg.cloneNode(true);
    const copies = all('*', copy);
    all('*', svg).forEach((element, i) => {
      const style = getComputedStyle(element);
      for (const look of looks[element.localName] ?? []) copies[i].setAttribute(look, style.getPropertyValue(look));
    });
    for (const off of all('.off', copy)) off.remove();
    for (const [key, value] of Object.entries(attributes)) copy.setAttribute(key, value);
    return copy;
  }
  function standalone(figure) {
    const plot = figure.querySelector(':scope > svg');
    const [, , width, height] = plot.getAttribute('viewBox').split(' ').map(Number);
    const style = getComputedStyle(document.body);
    const font = { 'font-family': style.fontFamily, 'font-size': 12, fill: style.color };
    const items = all('.legend button[aria-pressed=true]', figure);
    const bottom = height + 30 + 18 * items.length;
    const whole = make('svg', { width, height: bottom, viewBox: `0 0 ${width} ${bottom}` });
    whole.append(make('rect', { width, height: bottom, fill: getComputedStyle(document.body).backgroundColor }));
    const title = { ...font, x: width / 2, y: 16, 'text-anchor': 'middle', 'font-weight': 600 };
    whole.append(make('text', title, figure.querySelector('h3').textContent));
    whole.append(dressed(plot, { width, height, y: 24 }));
    items.forEach((item, i) => {
      const y = height + 32 + 18 * i;
      whole.append(dressed(item.querySelector('svg'), { width: 34, height: 14, x: 8, y }));
      whole.append(make('text', { ...font, x: 50, y: y + 11 }, item.querySelector('.name').textContent));
      const value = { ...font, x: width - 12, y: y + 11, 'text-anchor': 'end' };
      whole.append(make('text', value, item.querySelector('.value').textContent));
    });
    return new XMLSerializer().serializeToString(whole);
  }
  for (const button of all('button.save')) {
    button.addEventListener('click', () => {
      const figure = button.closest('figure');
      document.documentElement.classList.add('light');
      const blob = new Blob([standalone(figure)], { type: 'image/svg+xml' });
      document.documentElement.classList.remove('light');
      const link = document.createElement('a');
      link.href = URL.createObjectURL(blob);
      link.download = `${figure.querySelector('h3').textContent.toLowerCase().replace(/[^a-z0-9]+/g, '_')}.svg`;
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 10000);
    });
  }

  // Paper cannot be unfolded.
  window.addEventListener('beforeprint', () => all('details').forEach((details) => { details.open = true; }));
})();
