/** Requests and answers: who may look and act, what the page is made of. */
package org.loranative.board.http;
