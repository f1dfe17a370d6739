import common from './common.json';
import data from './data.json';
import desk from './desk.json';
import telephony from './telephony.json';

export default { ...common, ...desk, ...data, ...telephony };
