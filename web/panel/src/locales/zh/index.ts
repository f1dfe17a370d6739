import common from './common.json';
import data from './data.json';
import desk from './desk.json';
import errors from './errors.json';
import fieldFaults from './field_faults.json';
import lines from './lines.json';
import linetests from './linetests.json';
import links from './links.json';
import telephony from './telephony.json';

export default {
  ...common,
  ...desk,
  ...data,
  ...errors,
  ...fieldFaults,
  ...lines,
  ...linetests,
  ...links,
  ...telephony,
};
