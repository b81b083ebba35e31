/**
 * Snapshots as stored by each version of the job machine. Never change them. Add a version when JOB_MACHINE_VERSION is
 * raised; every later program must read it.
 */
export const STORED_SNAPSHOTS: Readonly<Record<number, Readonly<Record<string, string>>>> = {
  1: {
    pending:
      '{"status":"active","value":"pending","historyValue":{},"context":{"attempt":0,"interruptions":0,"maxAttempts":3,"outputPath":null,"errorCode":null,"errorMessage":null},"children":{}}',
    running:
      '{"status":"active","value":"running","historyValue":{},"context":{"attempt":1,"interruptions":0,"maxAttempts":3,"outputPath":null,"errorCode":null,"errorMessage":null},"children":{}}',
    interrupted:
      '{"status":"active","value":"pending","historyValue":{},"context":{"attempt":1,"interruptions":1,"maxAttempts":3,"outputPath":null,"errorCode":null,"errorMessage":null},"children":{}}',
    completed:
      '{"status":"done","value":"completed","historyValue":{},"context":{"attempt":1,"interruptions":0,"maxAttempts":3,"outputPath":"r.json","errorCode":null,"errorMessage":null},"children":{}}',
    failed:
      '{"status":"done","value":"failed","historyValue":{},"context":{"attempt":1,"interruptions":0,"maxAttempts":3,"outputPath":null,"errorCode":"invalid_video","errorMessage":"no video track"},"children":{}}',
  },
};
