/** The records that a run was trained on: what each lost, and what it is. */
package org.loranative.board.data;
