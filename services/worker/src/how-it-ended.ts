export { howItEnded } from '@steelyard/service-process';
