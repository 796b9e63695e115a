/** Records in the send log what becomes of a message. The log's module is loaded when it is first needed: without a network, later. */

export class StepRecorder {
  #waiting = []; // steps that are not in the log yet
  #isClosed = false;

  async record({ clientId, createdAt, kind }, step) {
    if (kind === 'change') return;
    this.#waiting.push({ clientId, written: createdAt, ...step });
    if (this.#isClosed) return;
    const sendLog = await import('./send-log.js').catch(() => null);
    await sendLog?.recordSteps(this.#waiting.splice(0)).catch(() => {});
  }

  /** From now on nothing is recorded. */
  close() {
    this.#isClosed = true;
  }
}
