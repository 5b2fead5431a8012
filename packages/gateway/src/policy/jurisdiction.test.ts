import { expect, it } from "vitest";
import { jurisdictionOf } from "./jurisdiction.ts";

it.each([
  ["eu-central-1", "eu"],
  ["eu-west-2", "uk"],
  ["eu-central-2", "ch"],
  ["europe-west2", "uk"],
  ["europe-west4", "eu"],
  ["swedencentral", "eu"],
  ["norwayeast", "eu"],
  ["uksouth", "uk"],
  ["us-east-1", "us"],
  ["us-gov-west-1", "us"],
  ["eastus2", "us"],
  ["Central US".replace(" ", ""), "us"],
  ["northamerica-northeast1", "ca"],
  ["northamerica-south1", undefined],
  ["ap-southeast-2", "au"],
  ["ap-southeast-1", "sg"],
  ["asia-northeast1", "jp"],
  ["cn-north-1", "cn"],
  ["global", undefined],
  ["memphis", undefined],
  ["taurus", undefined],
])("%s is in %s", (region, jurisdiction) => expect(jurisdictionOf(region)).toBe(jurisdiction));
