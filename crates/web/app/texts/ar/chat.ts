// The conversation: timeline, messages, composer, threads.

export default {};
