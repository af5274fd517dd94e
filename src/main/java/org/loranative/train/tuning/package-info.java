/**
 * Finding settings by training: a range test for the learning rate, then successive halving of
 * candidates, compared record by record on data that is not trained on.
 */
package org.loranative.train.tuning;
