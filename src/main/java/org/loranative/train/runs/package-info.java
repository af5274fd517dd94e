/** Whole runs: putting one together, proposing, sweeping, listing and pruning them. */
package org.loranative.train.runs;
