import { globalPrior, type Calibrator } from "./calibrator.ts";
import type { LogisticPrior } from "./platt.ts";

/**
 * How firmly coefficients are held: 1 ÷ variance. The score's slope varied by ± 0.2 among nine models on four tasks, an
 * intercept by ± 1; the hinge is the difference of two slopes and is held as firmly as one (its precision may be anything
 * from 1 to 80 without a change in what 50 labels give). Other features are worth nothing until labels say so: ± 0.5.
 */
const precisions = { intercept: 1, slope: 20, hinge: 20, other: 4 };

/**
 * What a fit starts from: the coefficients of the parent, which were learnt from other routes or models, or those of the
 * global prior. Features the parent does not know begin at 0.
 *
 * @param features how many there are, the raw score among them; at least 1
 */
export function priorFor(features: number, parent: Calibrator = globalPrior): LogisticPrior {
  const { intercept, slopes, hinge } = parent.logistic;
  const others = Array.from({ length: Math.max(0, features - 1) }, (_, at) => ({
    mean: slopes[at + 1] ?? 0,
    precision: precisions.other,
  }));
  return {
    intercept: { mean: intercept, precision: precisions.intercept },
    slopes: [{ mean: slopes[0] ?? 0, precision: precisions.slope }, ...others],
    hinge: { mean: hinge, precision: precisions.hinge },
  };
}
