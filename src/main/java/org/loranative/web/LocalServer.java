package org.loranative.web;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpHandler;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.BindException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.loranative.UserException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A web server for this machine, or with a token for others. */
public final class LocalServer implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(LocalServer.class);

  /** A page asks over at most six connections at once. */
  private static final int MOST_CONNECTIONS = 120;

  private static final int REQUEST_SECONDS = 10;

  /** How many ports are tried. */
  private static final int PORTS = 20;

  private static final int LAST_PORT = 65535;

  static { // the JDK's server takes its limits from the properties when it is first made
    System.setProperty("jdk.httpserver.maxConnections", String.valueOf(MOST_CONNECTIONS));
    System.setProperty("sun.net.httpserver.maxReqTime", String.valueOf(REQUEST_SECONDS));
  }

  private final HttpServer server;
  private final ExecutorService workers;

  /**
   * Starts to serve.
   *
   * @param port 0 for any that is free; one that is in use gives way to the next
   * @param token that whoever asks must know; required unless only this machine can ask
   * @throws UserException if it cannot
   */
  public LocalServer(
      String name, String host, int port, Optional<String> token, HttpHandler handler) {
    InetAddress address;
    try {
      address = InetAddress.getByName(host);
    } catch (UnknownHostException e) {
      throw new UserException("--host " + host + " is no address of this machine.", e);
    }
    if (!address.isLoopbackAddress() && token.isEmpty()) {
      throw new UserException(
          "--host "
              + host
              + " lets other machines in; set --token SECRET, which they must know,"
              + " or keep 127.0.0.1 and use an SSH tunnel.");
    }
    server = bind(name, address, port);
    workers =
        Executors.newCachedThreadPool(
            r -> {
              Thread t = new Thread(r, name);
              t.setDaemon(true);
              return t;
            });
    server.setExecutor(workers);
    server.createContext("/", handler);
  }

  /** Takes requests from now on. */
  public void start() {
    server.start();
  }

  /** Listens at a port, or where that is in use at the next that is free. */
  private static HttpServer bind(String name, InetAddress address, int port) {
    int last = Math.min(port + PORTS, LAST_PORT + 1) - 1;
    for (int at = port; at <= last; at++) {
      try {
        return HttpServer.create(new InetSocketAddress(address, at), 0);
      } catch (BindException e) {
        log.debug("port {}: {}", at, e.getMessage());
      } catch (IOException e) {
        throw new UserException("The " + name + " cannot be served: " + e.getMessage(), e);
      }
    }
    throw new UserException(
        String.format(
            "Ports %d to %d of %s are in use; name another with --port.",
            port, last, address.getHostAddress()));
  }

  /** Where it listens. */
  public URI address() {
    InetSocketAddress at = server.getAddress();
    String host = at.getAddress().getHostAddress();
    String named = host.contains(":") ? "[" + host + "]" : host;
    return URI.create("http://" + named + ":" + at.getPort() + "/");
  }

  /**
   * Whether a request asks for this machine by a name of its own: a page elsewhere could have its
   * own name lead here.
   */
  public static boolean asksLocally(HttpExchange exchange) {
    return isLocal(String.valueOf(exchange.getRequestHeaders().getFirst("Host")));
  }

  /**
   * Whether a host, with a port or without, is this machine by a name of its own.
   *
   * @param host as a header has it
   */
  public static boolean isLocal(String host) {
    return List.of("localhost", "127.0.0.1", "[::1]").contains(host.replaceAll(":\\d+$", ""));
  }

  /** Whether two secrets are equal, in a time that does not tell how far they are. */
  public static boolean same(String a, String b) {
    return MessageDigest.isEqual(
        a.getBytes(StandardCharsets.UTF_8), b.getBytes(StandardCharsets.UTF_8));
  }

  @Override
  public void close() {
    server.stop(0);
    workers.shutdownNow();
  }
}
