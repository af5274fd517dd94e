/**
 * What {@code init} proposes: {@link org.loranative.train.proposal.Basis} is the base and the data
 * that are there, {@link org.loranative.train.proposal.Proposal} finds settings that fit.
 */
package org.loranative.train.proposal;
