// The frame around all screens: connection, navigation, dialogs. In German.

export default {
  "app.name": "Rookery",
  "app.close": "Schließen",
  "app.cancel": "Abbrechen",
  "app.save": "Speichern",
  "app.retry": "Noch einmal versuchen",
  "app.copy": "Link kopieren",
  "app.copied": "Link kopiert",
  "app.copyFailed": "Der Browser hat das Kopieren nicht erlaubt: {text}",
  "app.back": "Zurück",
  "app.menu": "Menü",
  "app.loading": "Wird geladen …",
  "app.notLoaded": "Dieser Teil des Chats konnte nicht geladen werden.",
  "app.missing": "Unter dieser Adresse ist nichts.",
  "app.home": "Zu deinen Räumen",
  "app.skip": "Zum Gespräch springen",
  "status.connecting": "Verbindung wird hergestellt …",
  "status.live": "Verbunden",
  "status.offline": "Offline",
  "status.offlineRetry": {
    one: "Offline. Nächster Versuch in {count} Sekunde.",
    other: "Offline. Nächster Versuch in {count} Sekunden.",
  },
  "status.catchingUp": { one: "{count} Ereignis wird nachgeholt", other: "{count} Ereignisse werden nachgeholt" },
  "status.unsent": { one: "{count} Nachricht ist noch nicht gesendet", other: "{count} Nachrichten sind noch nicht gesendet" },
};
