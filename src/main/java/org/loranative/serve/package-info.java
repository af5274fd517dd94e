/**
 * A language model behind OpenAI's HTTP interface, so that any chat client can try an adapter: who
 * is answered ({@code ChatServer}), what is asked ({@code Question}), what is answered ({@code
 * Answer}).
 */
package org.loranative.serve;
