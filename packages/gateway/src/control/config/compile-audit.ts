import { defaultAnchorEveryMs } from "./audit-schema.ts";
import type { AlertSettings, AuditSettings, Report } from "./compile-context.ts";
import { checkPosted } from "./compile-forward.ts";
import type { ConfigDocument } from "./schema.ts";

export function compileAlerts({ alerts }: ConfigDocument): { readonly alerts?: AlertSettings } {
  return alerts === undefined ? {} : { alerts };
}

export function compileAudit({ audit }: ConfigDocument): { readonly audit?: AuditSettings } {
  if (audit === undefined) return {};
  const { name, retention, anchor } = audit;
  const ofName = {
    ...(name === undefined ? {} : { name }),
    ...(retention === undefined ? {} : { retentionMs: retention }),
  };
  if (anchor === undefined) return { audit: ofName };
  const { every = defaultAnchorEveryMs, ...where } = anchor;
  return { audit: { ...ofName, anchor: { ...where, everyMs: every } } };
}

export function checkAudit({ audit, alerts }: ConfigDocument, report: Report): void {
  if (alerts !== undefined) checkPosted(alerts.webhook, ["alerts", "webhook"], report);
  const { anchor, retention } = audit ?? {};
  if (retention !== undefined && retention < 86_400_000) {
    report(["audit", "retention"], "it is shorter than a day", "write 1d or longer: the log is erased by whole days");
  }
  if (anchor === undefined) return;
  if (anchor.webhook !== undefined) checkPosted(anchor.webhook, ["audit", "anchor", "webhook"], report);
  if (anchor.webhook === undefined && anchor.file === undefined) {
    report(["audit", "anchor"], "it says nowhere to put checkpoints", "give it `file`, `webhook`, or both");
  }
}
