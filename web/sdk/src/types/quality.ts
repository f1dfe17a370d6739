import type { ReportBy } from './records.js';

/** ITU-T G.109: from R 90, 80, 70 (below: many users are dissatisfied), 60, and below. */
export type QualityCategory = 'best' | 'high' | 'medium' | 'low' | 'poor';

/**
 * `came`: what the box received; `went`: what the far side says it received. null: nobody told.
 * Shares (`loss_…`, `poor`, `concealed`) are 0..1; R and MOS by ITU-T G.107.
 */
export interface QualityFigures {
  legs: number;
  minutes: number;
  r_came: number | null;
  r_went: number | null;
  mos_came: number | null;
  mos_went: number | null;
  /** Of the windows in which many users would be dissatisfied. */
  poor: number | null;
  loss_came: number | null;
  loss_went: number | null;
  jitter_came_ms: number | null;
  jitter_went_ms: number | null;
  rtt_ms: number | null;
  /** Made up by the jitter buffer. */
  concealed: number | null;
}

/** A list for each figure, an entry for each window. */
export interface QualityWindows {
  at: string[];
  r_came: (number | null)[];
  r_went: (number | null)[];
  mos_came: (number | null)[];
  mos_went: (number | null)[];
  loss_came: (number | null)[];
  loss_went: (number | null)[];
  jitter_came_ms: (number | null)[];
  jitter_went_ms: (number | null)[];
  rtt_ms: (number | null)[];
  concealed: (number | null)[];
  buffer_ms: (number | null)[];
}

export interface LegQuality {
  uniqueid: string;
  figures: QualityFigures;
  category_came: QualityCategory | null;
  category_went: QualityCategory | null;
  windows: QualityWindows;
}

export interface CallQuality {
  window_s: number;
  /** Those of the call whose quality is known. */
  legs: LegQuality[];
}

/** Figures of one peer in one bucket; `peer` is a trunk's id, "" the box's own phones. */
export interface QualityCell extends QualityFigures {
  peer: string;
  bucket: string;
  /** Of the worse direction. */
  category: QualityCategory | null;
}

export interface QualityPeer extends QualityFigures {
  peer: string;
  name: string;
  category: QualityCategory | null;
}

export interface QualityReport {
  /** The branch, whose figures are `total`. */
  site: string;
  buckets: string[];
  cells: QualityCell[];
  peers: QualityPeer[];
  total: QualityFigures;
  definitions: Record<string, string>;
  timezone: string;
}

export interface QualityQuery {
  from: string;
  to: string;
  by?: ReportBy;
  /** Language of `definitions`. */
  lang?: 'zh' | 'en';
}
