/** How good an adapter is on held-out data, against its base: paired by record, with intervals. */
package org.loranative.train.evaluation;
