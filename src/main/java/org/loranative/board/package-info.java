/**
 * The board: a local web page over the event files of runs. {@link org.loranative.board.Board} is
 * the server and says what is asked of which room; the page itself is in the resources.
 */
package org.loranative.board;
