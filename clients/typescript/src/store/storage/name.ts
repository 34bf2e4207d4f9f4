// The name of the database of a device.

/** The name of the database of a device. */
export function databaseName({ userId, deviceId }: { userId: string; deviceId: string }): string {
  return `rookery ${userId} ${deviceId}`;
}
