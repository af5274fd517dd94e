/** Learning-rate schedules; the optimizers themselves are ops. */
package org.loranative.optim;
