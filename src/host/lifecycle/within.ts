/** Waits for something, but not for ever: resolves with `late` when it takes longer. Leaves no timer behind. */
export async function within<T>(timeoutMs: number, work: Promise<T>): Promise<T | 'late'> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<'late'>((resolve) => {
    timer = setTimeout(() => resolve('late'), timeoutMs);
  });
  return await Promise.race([work, late]).finally(() => clearTimeout(timer));
}
