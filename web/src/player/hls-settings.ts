// The settings of hls.js for a video whose segments may still be in the encoder.

import type { HlsConfig, LoaderResponse, RetryConfig } from "hls.js";

// The origin holds a request for a segment that is planned but not encoded for up to 8 s (`segment_wait`) and then
// answers 503: the first byte may rightly take longer than that.
const FIRST_BYTE_MS = 20_000;

const ERROR_RETRIES = 6;

/**
 * Decides whether to retry. hls.js takes status 0 for a CORS error and gives up; here the media is
 * of one origin with the page, so that it is a server that restarts or a network that went away.
 */
export function retriesError(
  _policy: RetryConfig | null | undefined,
  count: number,
  _isTimeout: boolean,
  response: LoaderResponse | undefined,
  retry: boolean,
): boolean {
  return count < ERROR_RETRIES && (retry || response?.code === 0);
}

const errorRetry: RetryConfig = {
  maxNumRetry: ERROR_RETRIES,
  retryDelayMs: 1000,
  maxRetryDelayMs: 4000,
  shouldRetry: retriesError,
};

const timeoutRetry: RetryConfig = { maxNumRetry: 4, retryDelayMs: 0, maxRetryDelayMs: 0 };

const playlistPolicy = {
  default: {
    maxTimeToFirstByteMs: FIRST_BYTE_MS,
    maxLoadTimeMs: 30_000,
    timeoutRetry,
    errorRetry,
  },
};

export const SETTINGS: Partial<HlsConfig> = {
  // The worker takes other containers apart. Segments are fMP4 already, and its file would hold up the first on slow lines.
  enableWorker: false,
  capLevelToPlayerSize: false,
  // A short back buffer serves small seeks back; a long film must not fill the memory.
  backBufferLength: 60,
  // Read-ahead of 30 s at most, at any speed of the line: a viewer that leaves has then wasted little. hls.js loads
  // one more segment of 6 s while less than this is buffered. The first is its floor, kept whatever the bitrate.
  maxBufferLength: 8,
  maxMaxBufferLength: 24,
  maxBufferSize: 60_000_000,
  // A quality that failed once may be tried again, for instance after its encoding caught up.
  errorPenaltyExpireMs: 30_000,
  preserveManualLevelOnError: true,
  fragLoadPolicy: {
    default: {
      maxTimeToFirstByteMs: FIRST_BYTE_MS,
      maxLoadTimeMs: 120_000,
      timeoutRetry,
      errorRetry,
    },
  },
  playlistLoadPolicy: playlistPolicy,
  manifestLoadPolicy: playlistPolicy,
};
