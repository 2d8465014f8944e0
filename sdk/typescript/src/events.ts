// Who wants to hear of what, and telling them.

export interface ChatEvent<T = unknown> {
  name: string;
  data: T;
}

// An app writes its handlers for the data that it expects; the names of events are strings to everybody.
export type Handler<T = never> = (event: ChatEvent<T>) => void;

interface Listener {
  handler: Handler;
  context: unknown;
}

export class Events {
  readonly #listeners = new Map<string, Listener[]>();

  on(name: string, handler: Handler, context?: unknown): void {
    const listeners = this.#listeners.get(name) ?? [];
    this.#listeners.set(name, [...listeners, { handler, context }]);
  }

  off(name: string, handler: Handler, context?: unknown): void {
    const isOther = (it: Listener) => it.handler !== handler || (context !== undefined && it.context !== context);
    this.#listeners.set(name, (this.#listeners.get(name) ?? []).filter(isOther));
  }

  has(name: string): boolean {
    return (this.#listeners.get(name)?.length ?? 0) > 0;
  }

  clear(): void {
    this.#listeners.clear();
  }

  emit(name: string, data: unknown = undefined): void {
    for (const { handler, context } of this.#listeners.get(name) ?? []) {
      try {
        (handler as Handler<unknown>).call(context, { name, data });
      } catch (error) {
        // A handler that throws is the app's to see, and must neither stop the others nor the client.
        (globalThis.reportError ?? console.error)(error);
      }
    }
  }
}
