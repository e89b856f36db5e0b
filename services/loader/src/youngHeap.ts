/** Limits of a thread that works on long arrays. They are not in the heap; with room for more it grows by what is thrown away. */
export const youngHeap = { maxYoungGenerationSizeMb: 12 };
