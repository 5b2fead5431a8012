import { z } from "zod";
import { claimStatuses, relations } from "#supply/relations";

const date = (description: string) =>
  z.iso.date("expected a date such as 2026-11-21").meta({ description }).exactOptional();

const text = (description: string) => z.string().min(1).max(500).meta({ description });

const share = z.number().min(0).max(1).meta({ description: "From 0 to 1." });

const claim = z
  .strictObject({
    subject: text("Of whom: kind:name such as operator:anthropic, or a name that the graph knows."),
    relation: z.enum(relations).meta({ description: "What is said of it." }),
    object: text("And whom: kind:name, or a name that the graph knows."),
    share: z
      .union([share, z.array(share).length(2, "expected two numbers: [least, most]")])
      .meta({ description: "How much of the subject hangs on the object, or [least, most]; by default all of it." })
      .exactOptional(),
    status: z
      .enum(claimStatuses)
      .meta({ description: "How far it is borne out.", default: "declared" })
      .exactOptional(),
    source: text("Where it is said: a document's name or address.").exactOptional(),
    seen: date("When it was read; by default the day of this file."),
    from: date("The first day on which it holds."),
    to: date("The last day on which it holds."),
    note: text("What a reader should know beside it.").exactOptional(),
    new: z
      .boolean()
      .meta({ description: "A name in it resembles another and is meant nevertheless.", default: false })
      .exactOptional(),
  })
  .meta({ description: "A claim." });

export const supplySection = z
  .array(claim)
  .max(1000)
  .meta({ description: "Who depends on whom, beside what ships with the gateway: see docs/supply.md." })
  .exactOptional();

export type ClaimEntry = z.output<typeof claim>;
