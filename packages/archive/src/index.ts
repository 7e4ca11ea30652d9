export { ArchiveError } from './archive-error.js';
export { type ArchivedFile, type ArchiveLimits, isZip, openZip, type ZipArchive } from './open-zip.js';
