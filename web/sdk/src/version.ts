/** Version of this SDK (semantic versioning) and of the HTTP API it speaks. */
export const SDK_VERSION = '1.0.0';
export const API_VERSION = 'v1';
