/** Names this build; the server's `/build.json` names the one it has. */
declare const __BUILD__: string;
