export { eachLine } from '@steelyard/service-process';
