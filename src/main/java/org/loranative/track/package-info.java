/** What a run leaves to be watched: event files, metrics.jsonl, train.log, the console. */
package org.loranative.track;
