// Calls: ringing, answering, devices.

export default {} as const;
