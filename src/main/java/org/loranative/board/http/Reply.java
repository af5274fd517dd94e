package org.loranative.board.http;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.sun.net.httpserver.Headers;
import com.sun.net.httpserver.HttpExchange;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.zip.GZIPOutputStream;

/** Answers, with the headers that keep the page to itself. */
public final class Reply {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final int WORTH_PACKING = 1 << 10;

  private Reply() {}

  public static void json(HttpExchange exchange, JsonNode body) throws IOException {
    send(exchange, 200, "application/json", JSON.writeValueAsBytes(body));
  }

  public static void text(HttpExchange exchange, int code, String sentence) throws IOException {
    send(exchange, code, "text/plain; charset=utf-8", sentence.getBytes(StandardCharsets.UTF_8));
  }

  /** Sends it, packed where the browser can read that and it is worth it. */
  public static void send(HttpExchange exchange, int code, String type, byte[] body)
      throws IOException {
    Headers headers = exchange.getResponseHeaders();
    headers.set("Content-Type", type);
    headers.set("Cache-Control", "no-store");
    headers.set("X-Content-Type-Options", "nosniff");
    headers.set("Referrer-Policy", "no-referrer");
    headers.set(
        "Content-Security-Policy",
        "default-src 'self'; img-src 'self' data: blob:; style-src 'self' 'unsafe-inline';"
            + " form-action 'none'; base-uri 'none'; frame-ancestors 'none'");
    boolean asked = body.length > 0 && !exchange.getRequestMethod().equals("HEAD");
    String accepted = String.valueOf(exchange.getRequestHeaders().getFirst("Accept-Encoding"));
    boolean packed =
        asked
            && body.length > WORTH_PACKING
            && accepted.contains("gzip")
            && !type.startsWith("image/");
    byte[] sent = packed ? gzip(body) : body;
    if (packed) {
      headers.set("Content-Encoding", "gzip");
    }
    exchange.sendResponseHeaders(code, asked ? sent.length : -1);
    if (asked) {
      exchange.getResponseBody().write(sent);
    }
  }

  private static byte[] gzip(byte[] body) throws IOException {
    ByteArrayOutputStream packed = new ByteArrayOutputStream();
    try (OutputStream out = new GZIPOutputStream(packed)) {
      out.write(body);
    }
    return packed.toByteArray();
  }

  /** Numbers to six digits, null for what is none: a screen shows no more. */
  public static void numbers(ArrayNode node, double[] values) {
    for (double v : values) {
      number(node, v);
    }
  }

  private static void number(ArrayNode node, double v) {
    if (!Double.isFinite(v)) {
      node.addNull();
    } else if (v == Math.rint(v) && Math.abs(v) < 1e15) {
      node.add((long) v);
    } else {
      node.add(rounded(v));
    }
  }

  private static double rounded(double v) {
    double size = Math.abs(v);
    if (size < 1e-300 || size > 1e300) {
      return v;
    }
    double unit = Math.pow(10, 5 - Math.floor(Math.log10(size)));
    return Math.rint(v * unit) / unit;
  }
}
