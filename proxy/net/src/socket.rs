//! The few socket calls that the runtime does not offer.

use std::{
    io,
    net::{SocketAddr, TcpListener},
    os::fd::RawFd,
};

use socket2::{Domain, Protocol, Socket, Type};

/// Ends both directions of a socket; pending operations on it complete. Errors mean that the peer
/// was faster.
pub(crate) fn shutdown(socket: RawFd) {
    end(socket, libc::SHUT_RDWR);
}

/// Ends the receiving direction of a socket: what was received can still be read, and answered.
pub(crate) fn shutdown_read(socket: RawFd) {
    end(socket, libc::SHUT_RD);
}

/// Ends the sending direction of a socket: the peer reads an end of file.
pub(crate) fn shutdown_write(socket: RawFd) {
    end(socket, libc::SHUT_WR);
}

#[allow(unsafe_code)] // no safe wrapper takes the number of a socket that the runtime owns
fn end(socket: RawFd, directions: libc::c_int) {
    // SAFETY: shutdown(2) takes any number; on one that is not a socket it fails.
    let _ = unsafe { libc::shutdown(socket, directions) };
}

/// Whether an idle connection can be used: the peer has neither closed nor sent a byte.
#[allow(unsafe_code)] // the runtime has no read that neither takes bytes nor waits
pub(crate) fn is_quiet(socket: RawFd) -> bool {
    let mut byte = 0_u8;
    let flags = libc::MSG_PEEK | libc::MSG_DONTWAIT;
    // SAFETY: `byte` is valid for one byte; a number that is no socket makes recv(2) fail.
    let count = unsafe { libc::recv(socket, (&raw mut byte).cast(), 1, flags) };
    count < 0 && io::Error::last_os_error().kind() == io::ErrorKind::WouldBlock
}

/// Whether received bytes, or a connection not yet accepted, wait in the kernel.
#[allow(unsafe_code)] // no safe wrapper takes the number of a socket that the runtime owns
pub(crate) fn is_readable(socket: RawFd) -> bool {
    let mut poll = libc::pollfd {
        fd: socket,
        events: libc::POLLIN,
        revents: 0,
    };
    // SAFETY: `poll` is one valid entry; with a timeout of 0 the call does not wait.
    let count = unsafe { libc::poll(&raw mut poll, 1, 0) };
    count == 1 && poll.revents & libc::POLLIN != 0
}

/// A listening socket that shares its address with those of the other shards.
///
/// # Errors
/// Those of socket(2), bind(2) and listen(2).
pub(crate) fn listen(address: SocketAddr, backlog: u32) -> io::Result<TcpListener> {
    let socket = stream_socket(address)?;
    socket.set_reuse_port(true)?;
    bind_and_listen(&socket, address, backlog)?;
    Ok(socket.into())
}

/// Fails when another program listens on the address, also one that shares it by `SO_REUSEPORT`.
///
/// # Errors
/// Those of socket(2), bind(2) and listen(2).
pub(crate) fn check_free(address: SocketAddr) -> io::Result<()> {
    // Port 0 asks for any free port: nothing can be taken.
    if address.port() == 0 {
        Ok(())
    } else {
        bind_and_listen(&stream_socket(address)?, address, 1)
    }
}

fn stream_socket(address: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(
        Domain::for_address(address),
        Type::STREAM,
        Some(Protocol::TCP),
    )?;
    socket.set_reuse_address(true)?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    Ok(socket)
}

fn bind_and_listen(socket: &Socket, address: SocketAddr, backlog: u32) -> io::Result<()> {
    socket.bind(&address.into())?;
    socket.listen(i32::try_from(backlog).unwrap_or(i32::MAX))
}
