// The conversation: timeline, messages, composer, threads.

export default {} as const;
