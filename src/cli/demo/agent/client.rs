//! The agent's side of the protocol: revision 2026-07-28, over HTTP.

use crate::{
    cli::{demo::cast::DemoCast, error::CliError},
    receipt::{ReceiptKeys, verify},
};
use reqwest::header::ACCEPT;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

const VERSION: &str = "2026-07-28";

/// A client with the token of a source.
pub struct AgentClient {
    http: reqwest::Client,
    base: String,
    token: SecretString,
}

impl AgentClient {
    pub fn new(cast: &DemoCast) -> Self {
        Self { http: cast.app.client.clone(), base: cast.base.clone(), token: cast.token.clone() }
    }

    /// The names of the tools.
    pub async fn tools(&self) -> Result<Vec<String>, CliError> {
        let listed = self.request("tools/list", json!({})).await?;
        let names = listed["tools"].as_array().into_iter().flatten().filter_map(|tool| tool["name"].as_str());
        Ok(names.map(ToOwned::to_owned).collect())
    }

    /// Asks, and asks again by the id until there is an outcome.
    pub async fn outcome(&self, arguments: Value) -> Result<Value, CliError> {
        let mut result = self.call("ask_human", arguments).await?;
        while result["state"] == "open" {
            result = self.call("get_outcome", json!({ "id": result["id"] })).await?;
        }
        Ok(result)
    }

    /// What the receipt of an outcome says, if it is signed with a key of the daemon, and not if one byte is another.
    pub async fn receipt(&self, id: &str) -> Result<Value, CliError> {
        let url = format!("{}/v1/requests/{id}/receipt", self.base);
        let request = self.http.get(url).bearer_auth(self.token.expose_secret());
        let receipt = request.send().await?.error_for_status()?.text().await?;
        let keys = self.http.get(format!("{}/v1/keys", self.base)).send().await?.error_for_status()?.text().await?;
        let keys = ReceiptKeys::read(&keys)?;
        let verified = verify(receipt.trim(), &keys).map_err(|fault| fault.to_string())?;
        let middle = receipt.find('.').map_or(0, |dot| dot + 3);
        let other = if receipt[middle..].starts_with('A') { "B" } else { "A" };
        if verify(&format!("{}{other}{}", &receipt[..middle], &receipt[middle + 1..]), &keys).is_ok() {
            return Err("a receipt with a changed byte is taken".into());
        }
        Ok(verified.claims)
    }

    async fn call(&self, tool: &str, arguments: Value) -> Result<Value, CliError> {
        let mut result = self.request("tools/call", json!({ "name": tool, "arguments": arguments })).await?;
        if result["isError"] == true {
            return Err(result["content"][0]["text"].as_str().unwrap_or("the tool failed").to_owned().into());
        }
        Ok(result["structuredContent"].take())
    }

    async fn request(&self, method: &str, mut params: Value) -> Result<Value, CliError> {
        let tool = params["name"].as_str().unwrap_or_default().to_owned();
        params["_meta"] = json!({
            "io.modelcontextprotocol/protocolVersion": VERSION,
            "io.modelcontextprotocol/clientCapabilities": {},
            "io.modelcontextprotocol/clientInfo": { "name": "stentor-demo", "version": env!("CARGO_PKG_VERSION") },
        });
        let message = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        let mut request =
            self.http.post(format!("{}/mcp", self.base)).bearer_auth(self.token.expose_secret()).json(&message);
        request = request.header(ACCEPT, "application/json, text/event-stream");
        request = request.header("MCP-Protocol-Version", VERSION).header("Mcp-Method", method);
        if !tool.is_empty() {
            request = request.header("Mcp-Name", tool);
        }
        let mut answer: Value = request.send().await?.json().await?;
        match answer["error"]["message"].as_str() {
            Some(why) => Err(why.to_owned().into()),
            None => Ok(answer["result"].take()),
        }
    }
}
