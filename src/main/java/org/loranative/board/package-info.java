/**
 * The board: a local web page over the event files of runs. {@link org.loranative.board.Board} is
 * the server, {@link org.loranative.board.Runs} what it reads; the page itself is in the resources.
 */
package org.loranative.board;
