// Calls: ringing, answering, devices.

export default {};
