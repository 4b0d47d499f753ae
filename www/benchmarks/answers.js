/** Makes this worker answer what bench-page.ts asks: `questions` by name, each with one argument. */
export function answer(questions) {
  self.onmessage = async ({ data: { id, question, body } }) => {
    try {
      self.postMessage({ id, answer: await questions[question](body) });
    } catch (error) {
      self.postMessage({ id, error: error?.message ?? String(error) });
    }
  };
}
