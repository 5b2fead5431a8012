/** Characters of a pattern and of the text it is tried on; longer ones are not tried. */
const maxPattern = 256;
const maxText = 1_000;
/** What a pattern may take, beyond which it counts as one that never ends. */
const mostSteps = 2_000_000;

/** A group that is being read. */
interface Group {
  /** Logarithm of the ways to match the branches that ended; -Infinity before the first `|`. */
  branches: number;
  /** The same of the open branch. */
  ways: number;
  /** Pieces to be matched on one way, all branches together. */
  work: number;
}

/**
 * An upper bound of the steps in which a backtracking engine can try a pattern on a text: ways times pieces on each. An
 * unbounded repetition may stop anywhere, and a repetition of something that has ways of its own multiplies them. Undefined
 * for what is too much, which includes every pattern that can take exponential time, for texts that are no pattern, and for
 * look-arounds and back references. JavaScript cannot be told to stop matching, and patterns come from callers.
 */
export function patternSteps(pattern: string, length: number): number | undefined {
  if (pattern.length > maxPattern || length > maxText || /\(\?(?!:)|\\[1-9k]/u.test(pattern)) return undefined;
  try {
    void new RegExp(pattern, "u");
  } catch {
    return undefined;
  }
  const { ways, work } = wholePattern(pattern, length);
  const steps = Math.exp(ways) * (work + 1) * (pattern.startsWith("^") ? 1 : length + 1);
  return steps <= mostSteps ? Math.ceil(steps) : undefined;
}

const pieces = /\\(?:[pPu]\{[^}]*\}|u[\da-fA-F]{4}|x[\da-fA-F]{2}|.)|\[(?:\\.|[^\]\\])*\]|\((?:\?:)?|[)|]|./gsu;
const repetition = /^(?:[*+?]|\{(?<least>\d+)(?<open>,(?<most>\d*))?\})\??/u;

function wholePattern(pattern: string, length: number): Pick<Group, "ways" | "work"> {
  const groups: Group[] = [newGroup()];
  for (let at = 0; at < pattern.length;) {
    pieces.lastIndex = at;
    const [piece = ""] = pieces.exec(pattern) ?? [];
    at += Math.max(1, piece.length);
    const group = groups.at(-1) ?? newGroup();
    if (piece.startsWith("(")) {
      groups.push(newGroup());
      continue;
    }
    if (piece === "|") {
      group.branches = closed(group).ways;
      group.ways = 0;
      continue;
    }
    const isGroup = piece === ")" && groups.length > 1;
    if (isGroup) groups.pop();
    const inner = isGroup ? closed(group) : { ways: 0, work: 1 };
    const counted = repetition.exec(pattern.slice(at));
    at += counted?.[0].length ?? 0;
    const outer = groups.at(-1) ?? group;
    const { choices, times } = timesOf(counted, length);
    outer.ways += Math.log(choices) + times * inner.ways;
    outer.work += times * Math.max(1, inner.work);
  }
  const [whole = newGroup()] = groups;
  return closed(whole);
}

function newGroup(): Group {
  return { branches: -Infinity, ways: 0, work: 0 };
}

function closed({ branches, ways, work }: Group): Pick<Group, "ways" | "work"> {
  const most = Math.max(branches, ways);
  return { ways: most + Math.log(Math.exp(branches - most) + Math.exp(ways - most)), work };
}

/** In how many ways a piece may be repeated, and how often at most. What is empty is repeated, too. */
function timesOf(
  counted: RegExpExecArray | null,
  length: number,
): { readonly choices: number; readonly times: number } {
  if (counted === null) return { choices: 1, times: 1 };
  const [mark] = counted;
  if (mark.startsWith("?")) return { choices: 2, times: 1 };
  if (!mark.startsWith("{")) return { choices: length + 1, times: length + 1 };
  const least = Number(counted.groups?.["least"]);
  const told = counted.groups?.["most"];
  const most = told === undefined ? least : told === "" ? least + length : Number(told);
  return { choices: most - least + 1, times: most };
}
