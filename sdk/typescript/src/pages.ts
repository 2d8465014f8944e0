// Reading lists that come in pages.

/** A list that goes on for longer than any limit of the server allows is none. */
const PAGES_MAX = 200;

/** The pages of a list, one after another; each is asked for with where the one before ended. */
export async function* pages<A extends { next: string | null }>(
  ask: (place: { after?: string }) => Promise<A>,
): AsyncGenerator<A> {
  let place: { after?: string } = {};
  for (let page = 0; page < PAGES_MAX; page += 1) {
    const answer: A = await ask(place);
    yield answer;
    if (!answer.next) return;
    place = { after: answer.next };
  }
}

/** Lists that are short enough for one request each. */
export function inLists<T>(items: T[], lenMax: number): T[][] {
  const lists: T[][] = [];
  for (let at = 0; at < items.length; at += lenMax) lists.push(items.slice(at, at + lenMax));
  return lists;
}
