export { Sa800Client } from './client.js';
export { type ErrorBody, errorFromAnswer, type FieldError, Sa800Error } from './errors.js';
export { type EventHandlers, EventStream, retryDelay, type SocketLike, type StreamOptions } from './events.js';
export { type Query, queryString, type RequestOptions, type TransportOptions } from './http.js';
export { EMPTY_LIVE, fold, fromSnapshot, type LiveState } from './live.js';
export * from './types/index.js';
export { API_VERSION, SDK_VERSION } from './version.js';
