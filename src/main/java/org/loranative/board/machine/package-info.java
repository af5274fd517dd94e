/** The machine that a run trains on, as it is now. */
package org.loranative.board.machine;
