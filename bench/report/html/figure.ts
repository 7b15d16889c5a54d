/** The pieces that pages are put together from. */
import { html, type Markup, type Part } from './html.ts';

export interface Chapter {
  readonly id: string;
  readonly title: string;
  /** What was done, and how to read it. */
  readonly lead: string;
  readonly body: readonly Part[];
}

/** A drawing may be wider than a small screen: then it alone is moved sideways. */
export function figure(title: string, drawing: Markup): Markup {
  return html`<figure>${title === '' ? undefined : html`<figcaption>${title}</figcaption>`}<div class="scroll">${drawing}</div></figure>`;
}

/** Beside each other where there is room. */
export function panels(figures: readonly Markup[]): Markup {
  return html`<div class="panels">${figures}</div>`;
}

export interface Column<Row> {
  readonly title: string;
  readonly isText?: boolean;
  cell(row: Row): Part;
}

export function table<Row>(caption: string, columns: readonly Column<Row>[], rows: readonly Row[]): Markup {
  const heads = columns.map(({ title, isText }) => html`<th scope="col"${textClass(isText)}>${title}</th>`);
  const body = rows.map(
    (row) => html`<tr>${columns.map((column) => html`<td${textClass(column.isText)}>${column.cell(row)}</td>`)}</tr>`,
  );
  return html`<div class="scroll"><table><caption>${caption}</caption><thead><tr>${heads}</tr></thead><tbody>${body}</tbody></table></div>`;
}

function textClass(isText: boolean | undefined): Markup | undefined {
  return isText === true ? html` class="text"` : undefined;
}

/** Closed on screens, open on paper. */
export function details(summary: string, body: Part): Markup {
  return html`<details><summary>${summary}</summary>${body}</details>`;
}

/** On paper, its title stays with what comes first. */
export function chapter({ id, title, lead, body: [first, ...rest] }: Chapter): Markup {
  return html`<section id="${id}"><div class="keep"><h2>${title}</h2><p class="lead">${lead}</p>${first}</div>${rest}</section>`;
}
