import type { FileNotice } from "../../packages/gateway/src/catalogue/catalogue-file.ts";
import { modelKey, undatedKey } from "../../packages/gateway/src/catalogue/names.ts";
import { noticesSource } from "./read-snapshots.ts";
import { noticeGivers } from "./places.ts";
import type { Notice } from "./read-snapshots.ts";

/** The latest notice of each model, by place and then by the name in the notice. */
export function latestNotices(notices: readonly Notice[]): ReadonlyMap<string, ReadonlyMap<string, FileNotice>> {
  const latest = new Map<string, Map<string, Notice>>();
  for (const notice of notices) {
    const place = noticeGivers[notice.provider];
    if (place === undefined) throw new Error(`Nobody knows who ${notice.provider} is, who gave notice.`);
    const here = latest.get(place) ?? new Map<string, Notice>();
    latest.set(place, here);
    const known = here.get(notice.model_id);
    if (known === undefined || (notice.announcement_date ?? "") > (known.announcement_date ?? ""))
      here.set(notice.model_id, notice);
  }
  return new Map(
    [...latest].map(([place, here]) => [
      place,
      new Map([...here].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([id, notice]) => [id, fileNotice(notice)])),
    ]),
  );
}

function fileNotice({ deprecation_date, shutdown_date, replacement_models, url }: Notice): FileNotice {
  const [deprecatedOn, retiresOn] = [dateOf(deprecation_date), dateOf(shutdown_date)];
  return {
    ...(deprecatedOn === undefined ? {} : { deprecatedOn }),
    ...(retiresOn === undefined ? {} : { retiresOn }),
    ...(replacement_models === null || replacement_models.length === 0 ? {} : { replacements: replacement_models }),
    ...(url === null ? {} : { url: url.replace(/#.*$/, "") }),
    source: noticesSource,
  };
}

function dateOf(text: string | null): string | undefined {
  return text !== null && /^\d{4}-\d\d-\d\d$/.test(text) ? text : undefined;
}

/**
 * Which of a place's models each notice is about: by its very name, by another spelling of it (every region of a
 * Bedrock model), or without a date where exactly one date is offered. Names of notices that fit none are left.
 */
export function matchNotices(
  notices: ReadonlyMap<string, FileNotice>,
  ids: readonly string[],
): { readonly byId: ReadonlyMap<string, FileNotice>; readonly left: ReadonlyMap<string, FileNotice> } {
  const byId = new Map<string, FileNotice>();
  const left = new Map<string, FileNotice>();
  const keyed = ids.map((id) => ({ id, key: modelKey(id) }));
  const very = new Map([...notices.keys()].map((name) => [name.toLowerCase(), name]));
  for (const [name, notice] of notices) {
    const key = modelKey(name);
    const same = keyed.filter((each) => each.id === name || each.key === key);
    const dated = keyed.filter((each) => undatedKey(each.key) === key);
    const meant = same.length > 0 ? same : dated.length === 1 ? dated : [];
    // A notice of a model's very name outranks one of another spelling, which then is about something else.
    const free = meant.filter(
      ({ id }) => very.get(id.toLowerCase()) === name || !(very.has(id.toLowerCase()) || byId.has(id)),
    );
    if (free.length === 0) left.set(name, notice);
    for (const { id } of free) byId.set(id, notice);
  }
  return { byId, left };
}
