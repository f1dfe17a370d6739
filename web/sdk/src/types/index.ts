export * from './config.js';
export * from './hardware.js';
export * from './lines.js';
export * from './linetests.js';
export * from './links.js';
export * from './live.js';
export * from './records.js';
export * from './session.js';
